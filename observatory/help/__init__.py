"""The guides: pages of Markdown, read, searched and made into HTML for those who show them."""
