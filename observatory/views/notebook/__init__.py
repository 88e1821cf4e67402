"""The views and plots in JupyterLab"""
