"""Filing (立案): cases and their parties come in, by hand or by import, and get a judge."""
