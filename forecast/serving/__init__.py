"""Web developers' room: publications, and the process that serves them as they are."""
