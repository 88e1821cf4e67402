"""What people say of the data: verdicts on anomalies"""
