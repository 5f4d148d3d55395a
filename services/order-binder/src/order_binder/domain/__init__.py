"""The rules of order-binder, pure: which binding an order has, which number and codes it uses, and when."""
