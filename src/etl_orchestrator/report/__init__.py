"""The run told to a person: progress lines, the terminal summary, the Markdown report."""
