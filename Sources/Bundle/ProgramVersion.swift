/// The version of this program, as `--version` and the manifest tell it.
public let programVersion = "0.1.0"

/// What servers see as the name of both programs.
public let programUserAgent = "kubespray-offline/\(programVersion)"
