"""The recipe: `models/<name>/recipe.toml`, read, checked and frozen."""
