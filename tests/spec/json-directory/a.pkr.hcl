variable "greeting" { default = "hi" }
locals { suffix = "x" }
source "docker" "a" { image = "debian" }
