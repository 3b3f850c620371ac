# hash
// slashes
/* block
   of lines */
source "null" "a" { # behind
  a = 1 // behind
  b = /* inside */ 2
  c = [ # in a list
    1,  // one
    2
  ]
  d = (1
    + 2)
}
build { sources = ["null.a"] }
