using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FastListener.Hosting.Transport;

/// <summary>Puts the transport into a server. Call it after Kestrel was added: the factory registered last is asked first.</summary>
internal static class TransportRegistration
{
    /// <exception cref="ArgumentException">The settings are not usable; the message names every fault.</exception>
    public static IServiceCollection AddFastListenerTransport(this IServiceCollection services, TransportOptions options)
    {
        var faults = string.Join(' ', options.Faults());
        if (faults.Length > 0)
        {
            throw new ArgumentException(faults, nameof(options));
        }

        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<PooledBlockFactory>();
        services.RemoveAll<IMemoryPoolFactory<byte>>();
        services.AddSingleton<IMemoryPoolFactory<byte>>(provider => provider.GetRequiredService<PooledBlockFactory>());
        services.Configure<SocketTransportOptions>(sockets => sockets.Backlog = options.Backlog);
        if (options.Transport is TransportKind.Own)
        {
            services.AddSingleton(new ConnectionPlaces(options.MaxConnections));
            services.AddSingleton<IConnectionListenerFactory, OwnTransportFactory>();
        }

        return services;
    }
}
