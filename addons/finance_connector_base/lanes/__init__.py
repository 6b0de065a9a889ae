"""What runs jobs: an own connection, the claim, the lane. Everything that several hosts need of
each other is in PostgreSQL."""
