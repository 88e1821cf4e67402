"""What one page has chosen, and the poll that all pages share"""
