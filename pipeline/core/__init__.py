"""What every command needs: stages, the command line, progress, Debian packages."""
