"""The values that the layers hand each other"""
