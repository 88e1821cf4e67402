"""What is shown: state, figures, and one file a view; the same in the app and in JupyterLab."""
