"""What RedPajama-V2 sees in a text: its words before and after normalization, and its lines."""
