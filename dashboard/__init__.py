"""The Panel app that shows a latent store; ``panel serve dashboard/app.py --args STORE``."""
