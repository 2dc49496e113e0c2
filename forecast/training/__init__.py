"""Data scientists' room: the training set, the backtest, and candidates for the registry."""
