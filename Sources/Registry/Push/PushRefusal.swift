/// Why a registry does not take what is pushed, where its answer tells more than a status does.
public enum PushRefusal: Sendable, Hashable {
  /// What the project or the account may keep is used up.
  case quota
  /// The tag is there, and the registry lets no tag stand for something else.
  case immutableTag
  /// There is no project, namespace or repository of that name, and the registry makes none by itself.
  case noProject(String)
  /// The registry sends on to another address.
  case moved(to: String)
  /// The registry knows no manifests of that type.
  case mediaType(String)
  /// The registry names another machine as the place for uploads, which cannot be reached.
  case uploadElsewhere(String)

  /// A word for scripts, which stays the same from release to release.
  var code: String {
    switch self {
    case .quota: "quota"
    case .immutableTag: "immutable-tag"
    case .noProject: "no-project"
    case .moved: "moved"
    case .mediaType: "unsupported-type"
    case .uploadElsewhere: "upload-address"
    }
  }

  /// What an answer says in words: Harbor, Nexus, Quay, GitLab and the clouds have no codes of their own for this.
  init?(status: Int, code: String?, message: String?, repository: String) {
    let text = "\(code ?? "") \(message ?? "")".lowercased()
    func says(_ words: String...) -> Bool { words.contains(where: text.contains) }
    guard status >= 400 else { return nil }
    if says("quota", "storage limit", "exceed the configured upper limit") {
      self = .quota
    } else if says("immutable", "cannot be overwritten", "does not allow updating", "tag already exists") {
      self = .immutableTag
    } else if code == "NAME_UNKNOWN" || says("project") && says("not found", "not exist", "unknown") {
      self = .noProject(String(repository.prefix { $0 != "/" }))
    } else {
      return nil
    }
  }
}
