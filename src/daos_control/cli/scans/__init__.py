"""What was found on hosts, as documents and as tables: dmg shows it of many hosts, a daemon of its own."""
