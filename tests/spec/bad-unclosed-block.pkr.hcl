source "null" "a" {
  a = 1
build {
  sources = []
}
