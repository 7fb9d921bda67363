import Bundle

extension Configuration {
  /// The architectures that the bundle is for, each once, the main one first: those of ``platforms``, or the one of
  /// ``architecture``.
  ///
  /// - Parameter machine: The architecture of this machine, for when no setting names one.
  public func architectureNames(of machine: String) -> [String] {
    var names: [String] = []
    for platform in platforms {
      let name = String(platform.drop { $0 != "/" }.dropFirst())
      if !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty else { return [architecture ?? machine] }
    guard let architecture else { return names }
    return [architecture] + names.filter { $0 != architecture }
  }

  /// The platforms to carry of each image: ``Images/platforms`` where they are set, else those of the target machines.
  ///
  /// - Parameter machine: The architecture of this machine, for when no setting names one.
  public func imagePlatforms(of machine: String) -> [String] {
    guard images.platforms.isEmpty else { return images.platforms }
    return architectureNames(of: machine).map { "linux/\($0)" }
  }

  /// The arrangement of outputs/files. One for several architectures is `FileLayoutName.original`, because the
  /// folders of the other have no architecture in them.
  public var fileLayout: FileLayoutName {
    files.layout ?? (hasSeveralArchitectures ? .original : .kubesprayOffline)
  }

  private var hasSeveralArchitectures: Bool { Set(platforms).count > 1 }

  /// What is wrong with the settings about platforms when they are seen together.
  var platformProblems: [String] {
    var problems: [String] = []
    let carried = platforms.joined(separator: ", ")
    if let architecture, !platforms.isEmpty, !platforms.contains("linux/\(architecture)") {
      problems.append(
        "\(origin(of: "architecture")): \"architecture\" is \(architecture), but \"platforms\" "
          + "(\(origin(of: "platforms"))) is \(carried). Add linux/\(architecture) to it, or remove one of the two."
      )
    }
    if hasSeveralArchitectures, let layout = files.layout, layout != .original {
      problems.append(
        "\(origin(of: "files.layout")): \"files.layout\" is \(layout.rawValue), whose folders have no place for "
          + "\(carried), as \"platforms\" (\(origin(of: "platforms"))) asks. Set \"files.layout\" to original or auto."
      )
    }
    return problems
  }
}
