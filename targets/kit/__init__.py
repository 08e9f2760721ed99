"""What a target is made of: its TOML file, its compiler, its errors."""
