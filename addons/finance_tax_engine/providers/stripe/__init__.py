"""What Stripe Tax needs beside the provider itself, one topic a file."""
