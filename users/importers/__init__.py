"""Importers of what people made of films elsewhere."""
