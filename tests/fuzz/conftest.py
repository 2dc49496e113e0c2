"""Fuzzers are programs that tests start; none of them is a test, or a module with doctests."""

collect_ignore_glob = ["fuzz_*.py", "harness.py"]
