"""What people are told of incidents: which destination hears of what, when, and in which words."""
