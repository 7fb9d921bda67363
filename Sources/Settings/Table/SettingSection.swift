/// Settings that belong together in config.yml and in the reference.
public struct SettingSection: Sendable {
  /// The heading.
  public let title: String
  /// The settings, those of one group of config.yml side by side.
  public let settings: [Setting]

  /// Every section, in the order of config/config.yml.
  public static let all = [
    places, kubespray, ansible, files, versions, registry, admin, access, images, packages, pythonPackages,
    repositories, signing, network,
  ]
}

extension Configuration {
  /// Every setting, in the order of config/config.yml.
  public static let settings: [Setting] = SettingSection.all.flatMap(\.settings)
}
