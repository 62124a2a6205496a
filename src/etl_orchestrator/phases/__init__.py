"""The rooms, one module each; `order` is their table of contents."""
