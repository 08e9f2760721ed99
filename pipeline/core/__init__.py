"""What every command needs: errors, stages, the command line, progress, Debian packages."""
