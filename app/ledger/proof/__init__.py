"""Whether it is right: balances, records counted again, and what the ERP says."""
