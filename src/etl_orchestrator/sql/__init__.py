"""What we know about GoogleSQL text: its tokens, its layout, its templates, its values."""
