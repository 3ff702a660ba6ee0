"""Forms made from models."""
