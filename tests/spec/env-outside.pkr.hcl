locals { home = env("HOME") }
