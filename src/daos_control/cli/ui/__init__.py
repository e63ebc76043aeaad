"""What our programs print: tables, blocks, JSON documents."""
