"""What happens to synthetic households over two years, by a mechanism that is known."""
