source "null" "a" {
  can     = [can(var.nope), can(1 + 1), can(tonumber("x"))]
  try     = [try(var.nope, "fallback"), try({}.a, [][0], 3)]
  convert = [convert("5", number), convert([1, "a"], list(string)), convert({ a = 1 }, map(any)), convert(["b", "a", "b"], set(string))]
}
build { sources = ["null.a"] }
