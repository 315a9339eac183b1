using System.Text;

namespace FastListener.TestInputs;

/// <summary>The annotations that a Crashpad handler in an Electron application uploads beside its dump, in key order as it sends them.</summary>
public static class CrashpadAttributes
{
    private static readonly (string Name, string Value)[] Known =
    [
        ("_companyName", "Example"), ("_productName", "Studio"), ("_version", "4.8.0"), ("application", "studio"),
        ("application.session", "0c9f8d3e-53cb-4a1e-8d1d-7d8f5b2a9f10"), ("application.version", "4.8.0"),
        ("backtrace.agent", "backtrace-electron"), ("backtrace.version", "0.6.0"), ("breadcrumbs.lastId", "184"),
        ("cpu.brand", "AMD Ryzen 7 5800X 8-Core Processor"), ("cpu.count", "16"), ("cpu.frequency", "3800"), ("device.model", "MS-7C37"),
        ("error.message", "Segmentation fault at address 0x0"), ("error.type", "Crash"), ("graphics.id", "0x73df"),
        ("graphics.name", "AMD Radeon RX 6700 XT"), ("graphics.vendor", "AMD"), ("guid", "5d6c0a6e-7f1b-4b5e-9a51-1f0f6d2f7a11"),
        ("hostname", "build-host-17"), ("lang", "en-GB"), ("list_annotations", "v8-oom,gpu-watchdog"),
        ("lsb-release", "Debian GNU/Linux 12 (bookworm)"), ("num-experiments", "2"), ("osarch", "x86_64"), ("pid", "41172"),
        ("plat", "linux"), ("platform", "linux"), ("process.age", "8123"), ("process_type", "renderer"), ("prod", "Electron"),
        ("ptype", "renderer"), ("switch-1", "--type=renderer"), ("switch-2", "--lang=en-GB"), ("system.memory.free", "1827364864"),
        ("system.memory.total", "33567735808"), ("tag.channel", "stable"), ("uname.machine", "x86_64"), ("uname.sysname", "Linux"),
        ("uname.version", "6.1.0-31-amd64"), ("url-chunk", "app://studio/index.html?scene=42&mode=edit"), ("ver", "31.2.1"),
        ("version", "4.8.0"), ("vm.rss.size", "412876800"), ("vm.vma.size", "1192837120"),
    ];

    /// <summary>How many one ordinary upload carries.</summary>
    public const int Count = 45;

    /// <summary>All of them as UTF-8.</summary>
    public static IReadOnlyList<(byte[] Name, byte[] Value)> All { get; } =
        [.. Known.Select(pair => (Encoding.UTF8.GetBytes(pair.Name), Encoding.UTF8.GetBytes(pair.Value)))];

    /// <summary>The same as a query, percent-encoded, without a leading question mark.</summary>
    public static string Query { get; } = string.Join('&', Known.Select(pair => $"{Uri.EscapeDataString(pair.Name)}={Uri.EscapeDataString(pair.Value)}"));
}
