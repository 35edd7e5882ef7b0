"""The two ways out: SMS by the carrier's HTTP API, and mail by SMTP. Each send ends in one typed outcome."""
