"""ResidualBind and the methods that it is compared with, under one interface."""
