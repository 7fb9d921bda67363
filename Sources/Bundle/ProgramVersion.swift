/// The version of this program, as `--version` and the manifest tell it.
public let programVersion = "0.1.0"
