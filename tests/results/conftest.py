from fake_package import fake as fake
