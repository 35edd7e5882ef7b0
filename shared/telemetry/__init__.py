"""What the product tells of itself: figures for Prometheus, and the way of an act through the services."""
