"""What is kept between runs: tables, transactions, sealed templates."""
