using System.Buffers;
using System.Collections;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace FastListener.Hosting.Transport;

/// <summary>
/// What middleware can ask a connection for. The connection is its own feature collection: what it offers itself costs nothing, what
/// others add (five or so) lies in a short list.
/// </summary>
internal sealed partial class SocketConnection :
    IFeatureCollection,
    IConnectionIdFeature,
    IConnectionTransportFeature,
    IConnectionItemsFeature,
    IMemoryPoolFeature,
    IConnectionLifetimeFeature,
    IConnectionEndPointFeature,
    IConnectionSocketFeature
{
    private readonly List<KeyValuePair<Type, object?>> _added = new(8); // a null value hides one of our own
    private int _revision;

    public override IFeatureCollection Features => this;

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _revision;

    MemoryPool<byte> IMemoryPoolFeature.MemoryPool => _context.Memory;

    Socket IConnectionSocketFeature.Socket => _socket;

    object? IFeatureCollection.this[Type key]
    {
        get => Find(key);
        set => Put(key, value);
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default => (TFeature?)Find(typeof(TFeature));

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default => Put(typeof(TFeature), instance);

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator() => Enumerate().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => Enumerate().GetEnumerator();

    private static bool IsOwn(Type type) =>
        type == typeof(IConnectionIdFeature)
        || type == typeof(IConnectionTransportFeature)
        || type == typeof(IConnectionItemsFeature)
        || type == typeof(IMemoryPoolFeature)
        || type == typeof(IConnectionLifetimeFeature)
        || type == typeof(IConnectionEndPointFeature)
        || type == typeof(IConnectionSocketFeature);

    private object? Find(Type type)
    {
        foreach (var (key, value) in _added)
        {
            if (key == type)
            {
                return value;
            }
        }

        return IsOwn(type) ? this : null;
    }

    private void Put(Type type, object? feature)
    {
        _revision++;
        var entry = KeyValuePair.Create(type, feature);
        var at = _added.FindIndex(added => added.Key == type);
        if (at >= 0)
        {
            _added[at] = entry;
        }
        else
        {
            _added.Add(entry);
        }
    }

    private IEnumerable<KeyValuePair<Type, object>> Enumerate()
    {
        foreach (var type in typeof(SocketConnection).GetInterfaces())
        {
            if (IsOwn(type) && Find(type) is { } own)
            {
                yield return KeyValuePair.Create(type, own);
            }
        }

        foreach (var (type, feature) in _added)
        {
            if (feature is not null && !IsOwn(type))
            {
                yield return KeyValuePair.Create(type, feature);
            }
        }
    }
}
