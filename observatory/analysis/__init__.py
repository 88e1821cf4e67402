"""Questions a person asks of one service: its history, what moved with it, an incident's report"""
