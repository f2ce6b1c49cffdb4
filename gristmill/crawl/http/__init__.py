"""What HTTP recorded, read: status, headers, the body unpacked and decoded."""
