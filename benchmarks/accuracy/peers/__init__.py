"""The peers, each as a competent user sets it up; they run in an environment of their own."""
