locals {
  größe = "日本語" + 1
	tabbed = "é" ? nope : 1
}
