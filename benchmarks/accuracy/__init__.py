"""How good the forecasts are, beside those of the usual libraries, on five real panels."""
