variable "home" { default = env("HOME_OF_TEST") }
