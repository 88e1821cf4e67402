"""Components with scripts of their own, in shadow roots"""
