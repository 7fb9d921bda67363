/// What the packages of ``RPMFixture`` are built of.
enum RPMSpecs {
  /// The spec of a package, by name and version.
  static func text(_ name: String) -> String {
    switch name {
    case "lib-1.0", "lib-2.0": lib(version: String(name.dropFirst(4)))
    case "others": others
    case "app": app
    case "streamed-1", "streamed-2": streamed(stream: String(name.dropFirst(9)))
    default: ""
    }
  }

  private static let common = "License: MIT\nSummary: For tests\n"

  private static func lib(version: String) -> String {
    """
    Name: lib
    Version: \(version)
    Release: 1.el9
    \(common)
    %description
    x
    %package langpack
    Summary: For tests
    Requires: lib = %{version}-%{release}
    %description langpack
    x
    %package checks
    Summary: For tests
    Requires: lib = %{version}-%{release}
    %description checks
    x
    %files
    %files langpack
    %files checks
    """
  }

  private static let app = """
    Name: app
    Version: 1.0^git1
    Release: 1.el9
    \(common)
    Requires: lib >= 2, /opt/tool
    Recommends: extra
    %description
    x
    %files
    """

  private static let others = """
    Name: tool
    Version: 1.0
    Release: 1.el9
    BuildArch: noarch
    \(common)
    Provides: instrument
    %description
    x
    %package -n extra
    Summary: For tests
    %description -n extra
    x
    %package -n broken
    Summary: For tests
    Requires: what-nobody-has
    %description -n broken
    x
    %install
    mkdir -p %{buildroot}/opt
    echo tool > %{buildroot}/opt/tool
    %files
    /opt/tool
    %files -n extra
    %files -n broken
    """

  private static func streamed(stream: String) -> String {
    """
    Name: streamed
    Version: \(stream).0
    Release: 1.module+el9+1+c0ffee
    BuildArch: noarch
    ModularityLabel: streamed:\(stream):20240101:c0ffee
    \(common)
    %description
    x
    %files
    """
  }

  /// The group that every minimal system has.
  static let comps = """
    <?xml version="1.0" encoding="UTF-8"?>
    <comps><group><id>core</id><name>Core</name><description/><default>true</default>
    <uservisible>false</uservisible><packagelist>
    <packagereq type="mandatory">lib-langpack</packagereq>
    <packagereq type="default">not-in-this-repository</packagereq>
    </packagelist></group></comps>
    """

  /// Two streams of one module, the first of which is the default; and a module that nothing here needs.
  static let modules =
    module("streamed", stream: "1") + module("streamed", stream: "2") + module("other", stream: "1")
      + """
      ---
      document: modulemd-defaults
      version: 1
      data:
        module: streamed
        stream: "1"
        profiles:
          1: [common]
      ...

      """

  private static func module(_ name: String, stream: String) -> String {
    """
    ---
    document: modulemd
    version: 2
    data:
      name: \(name)
      stream: "\(stream)"
      version: 20240101
      context: c0ffee
      arch: x86_64
      summary: For tests
      description: For tests
      license:
        module:
        - MIT
      dependencies:
      - requires:
          platform: [el9]
      profiles:
        common:
          rpms:
          - \(name)
      artifacts:
        rpms:
        - \(name)-0:\(stream).0-1.module+el9+1+c0ffee.noarch
    ...

    """
  }
}
